const JSONfrequencyNormalized = require('./frequencies');

const randomElement = (list) => list[Math.floor(Math.random() * list.length)];

const getUserAgent = function (device, browser = null, os = null) {
    const options = JSONfrequencyNormalized.filter((one) => (
        (!device || one.device === device) && (!browser || one.browser === browser) && (!os || one.os === os)
    ));
    if (options.length === 0) throw new Error('No user agent for these arguments');
    return randomElement(options).text;
};

module.exports = getUserAgent;
