const getCookies = require("getcookies");

module.exports = function cookies(request, response, next) {
  request.cookies = getCookies(request);
  if (next) next();
  return request.cookies;
};
