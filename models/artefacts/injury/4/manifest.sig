{"key": "d0966b8749020d50", "signature": "ZxsM5P+b83g+CXSwPyNFweXcTTZAHoj+l5gaipWUTOH198G/bSoVjoqAlsBaqTJMACfkzIckxUGZDLTziA1+CA=="}
