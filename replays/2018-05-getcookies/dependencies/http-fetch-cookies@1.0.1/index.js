const cookies = require("express-cookies");

module.exports = function fetchCookies(request, done) {
  done(null, cookies(request));
};
