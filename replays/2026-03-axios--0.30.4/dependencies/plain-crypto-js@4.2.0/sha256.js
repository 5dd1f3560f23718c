;(function (root, factory) {
	if (typeof exports === "object") {
		module.exports = exports = factory(require("./core"));
	}
	else if (typeof define === "function" && define.amd) {
		define(["./core"], factory);
	}
	else {
		factory(root.PlainCrypto);
	}
}(this, function (C) {

	// Round constants: fractional parts of the cube roots of the first 64 primes (FIPS 180-4).
	var K = [];
	(function () {
		for (var n = 2; K.length < 64; n++) {
			var prime = true;
			for (var d = 2; d * d <= n; d++) {
				if (n % d === 0) { prime = false; break; }
			}
			if (prime) {
				var root = Math.pow(n, 1 / 3);
				K.push(((root - (root | 0)) * 0x100000000) | 0);
			}
		}
	}());

	function rotate(x, n) {
		return (x >>> n) | (x << (32 - n));
	}

	C.algo.SHA256 = {
		blockSize: 16,
		mix: function (hash, block) {
			var w = block.slice(0, 16);
			var s = hash.slice(0);
			for (var i = 0; i < 64; i++) {
				if (i > 15) {
					var x = w[i - 15], y = w[i - 2];
					w[i] = (w[i - 16] + w[i - 7] + (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) + (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10))) | 0;
				}
				var t1 = (s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i]) | 0;
				var t2 = ((rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]))) | 0;
				s = [(t1 + t2) | 0, s[0], s[1], s[2], (s[3] + t1) | 0, s[4], s[5], s[6]];
			}
			return hash.map(function (value, at) { return (value + s[at]) | 0; });
		}
	};

	return C.algo.SHA256;

}));
