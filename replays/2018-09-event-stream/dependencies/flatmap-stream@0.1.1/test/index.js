var flatmap = require('../index.js')
var assert = require('assert')

var seen = []
var stream = flatmap(function (chunk, done) { done(null, [chunk, chunk + 1]) })

stream.on('data', function (chunk) { seen.push(chunk) })
stream.on('end', function () { assert.deepEqual(seen, [1, 2, 5, 6]) })
stream.write(1)
stream.end(5)
