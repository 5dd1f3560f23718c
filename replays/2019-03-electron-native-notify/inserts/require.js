require('./lib/renderer')
