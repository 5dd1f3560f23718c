'use strict'

const defaults = { sound: true, wait: false }

module.exports = function options (title, message) {
  const given = typeof message === 'string' ? { message: message } : message
  return Object.assign({}, defaults, given, { title: title })
}
