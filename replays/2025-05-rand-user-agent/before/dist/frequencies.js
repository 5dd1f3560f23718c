module.exports = [
    { device: 'desktop', browser: 'chrome', os: 'windows', text: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36' },
    { device: 'desktop', browser: 'firefox', os: 'linux', text: 'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101' },
    { device: 'mobile', browser: 'safari', os: 'ios', text: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X)' },
];
