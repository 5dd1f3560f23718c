'use strict'

var React = require('react')
var dates = require('./dates')

function Month(props) {
  var weeks = dates.weeks(props.date, 0)
  return React.createElement(
    'div',
    { className: 'rbc-month-view' },
    weeks.map(function (week, at) {
      return React.createElement('div', { className: 'rbc-month-row', key: at }, week.map(function (day) { return day.getDate() }))
    })
  )
}

module.exports = { Month: Month }
