var Stream = require('stream').Stream

// Map each chunk to an array of chunks, and emit those one by one.
module.exports = function (mapper, options) {
  var stream = new Stream()
  var waiting = 0
  var ended = false
  var destroyed = false
  var failures = (options && options.failures) || false

  stream.writable = true
  stream.readable = true

  function finish () {
    if (ended && !waiting && !destroyed) stream.emit('end')
  }

  function next (error, chunks) {
    waiting--
    if (destroyed) return
    if (error) {
      stream.emit(failures ? 'failure' : 'error', error)
    } else if (chunks) {
      chunks.forEach(function (chunk) { stream.emit('data', chunk) })
    }
    stream.emit('drain')
    finish()
  }

  stream.write = function (chunk) {
    if (ended) throw new Error('flatmap stream is not writable')
    waiting++
    try {
      mapper(chunk, next)
    } catch (error) {
      next(error)
    }
    return waiting < 16
  }

  stream.end = function (chunk) {
    if (arguments.length) stream.write(chunk)
    ended = true
    stream.writable = false
    finish()
  }

  stream.destroy = function () {
    ended = destroyed = true
    stream.writable = stream.readable = false
    process.nextTick(function () { stream.emit('close') })
  }

  stream.pause = function () {}
  stream.resume = function () {}

  return stream
}
