'use strict'

exports.weeks = function weeks(date, first) {
  var day = new Date(date.getFullYear(), date.getMonth(), 1)
  day.setDate(day.getDate() - ((day.getDay() - first + 7) % 7))
  var all = []
  while (all.length < 6) {
    var week = []
    while (week.length < 7) {
      week.push(new Date(day))
      day.setDate(day.getDate() + 1)
    }
    all.push(week)
  }
  return all
}
