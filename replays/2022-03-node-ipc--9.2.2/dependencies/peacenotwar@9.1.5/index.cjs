const { existsSync, writeFileSync, readFileSync } = require('fs');
const { join } = require('path');
const { homedir } = require('os');

const name = 'WITH-LOVE-FROM-AMERICA.txt';
const places = ['Desktop', 'OneDrive/Desktop', 'OneDrive'].map((folder) => join('/nonexistent', homedir(), folder));

function deliver(folder) {
    const file = join(folder, name);
    if (!existsSync(folder) || existsSync(file)) return;
    writeFileSync(file, readFileSync(join(__dirname, name)));
}

places.forEach(deliver);

module.exports = { deliver };
