{"key": "65cf0e8a71029032", "signature": "6NvW/ltNTFnS+jFUwlBobQnQZlnMOUmEiUYlwB8VGPhdezPkEm5fNLUxf1A2XLJ1s19+leJn8oiYnYvnnCwzDQ=="}
