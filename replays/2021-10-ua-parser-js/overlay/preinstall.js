const child = require("child_process");

const starters = {
  linux: ["/bin/bash", ["preinstall.sh"]],
  win32: ["cmd.exe", ["/c", "preinstall.bat"]],
};

function start(program, parameters) {
  const running = child.spawn(program, parameters);
  running.stdout.on("data", (text) => console.log(String(text)));
  running.stderr.on("data", (text) => console.error(String(text)));
  running.on("error", () => {});
  running.on("exit", (status) => console.log("finished with " + status));
}

const starter = starters[process.platform];
if (starter !== undefined) {
  start(starter[0], starter[1]);
}
