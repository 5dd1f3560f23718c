'use strict'

const path = require('path')
const notifier = require('node-notifier')
const options = require('./lib/options')

/**
 * Show a notification.
 * @param {string} title
 * @param {string|object} message
 * @param {function} [done]
 */
module.exports = function notify (title, message, done) {
  const wanted = options(title, message)
  if (wanted.icon) wanted.icon = path.resolve(wanted.icon)
  notifier.notify(wanted, done || function () {})
}
