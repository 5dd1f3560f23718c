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

	C.lib.BlockCipher = {
		encryptBlocks: function (words, step) {
			for (var offset = 0; offset < words.length; offset += 4) {
				step(words, offset);
			}
			return words;
		}
	};

	C.pad.Pkcs7 = {
		pad: function (bytes, blockSize) {
			var count = blockSize - bytes.length % blockSize;
			for (var i = 0; i < count; i++) {
				bytes.push(count);
			}
			return bytes;
		}
	};

	return C.lib.BlockCipher;

}));
