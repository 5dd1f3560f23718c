;(function (root, factory) {
	if (typeof exports === "object") {
		module.exports = exports = factory();
	}
	else if (typeof define === "function" && define.amd) {
		define([], factory);
	}
	else {
		root.PlainCrypto = factory();
	}
}(this, function () {

	// An array of 32-bit words and the number of bytes that count.
	function WordArray(words, sigBytes) {
		this.words = words || [];
		this.sigBytes = sigBytes === undefined ? this.words.length * 4 : sigBytes;
	}

	WordArray.prototype.toString = function () {
		var hex = [];
		for (var i = 0; i < this.sigBytes; i++) {
			var bite = (this.words[i >>> 2] >>> (24 - (i % 4) * 8)) & 0xff;
			hex.push((bite >>> 4).toString(16), (bite & 0x0f).toString(16));
		}
		return hex.join("");
	};

	WordArray.prototype.concat = function (other) {
		for (var i = 0; i < other.sigBytes; i++) {
			var bite = (other.words[i >>> 2] >>> (24 - (i % 4) * 8)) & 0xff;
			var at = this.sigBytes + i;
			this.words[at >>> 2] |= bite << (24 - (at % 4) * 8);
		}
		this.sigBytes += other.sigBytes;
		return this;
	};

	WordArray.fromText = function (text) {
		var words = [];
		for (var i = 0; i < text.length; i++) {
			words[i >>> 2] |= (text.charCodeAt(i) & 0xff) << (24 - (i % 4) * 8);
		}
		return new WordArray(words, text.length);
	};

	return { lib: { WordArray: WordArray }, enc: {}, algo: {}, mode: {}, pad: {} };

}));
