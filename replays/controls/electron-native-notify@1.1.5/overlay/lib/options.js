'use strict'

const defaults = { sound: true, wait: false, timeout: 5 }

module.exports = function options (title, message) {
  const given = typeof message === 'string' ? { message: message } : message
  if (given.urgent) given.timeout = 0
  return Object.assign({}, defaults, given, { title: title })
}
