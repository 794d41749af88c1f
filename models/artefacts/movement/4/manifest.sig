{"key": "d0966b8749020d50", "signature": "cn1csylf12upfVK+0+bZCwdwy4VrI9bgONSnrEs9loLc2cV7drFWmXcADHG5U+RoROQKRztNOXT5vJveR2GnDA=="}
