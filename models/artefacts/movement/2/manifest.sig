{"key": "d02cc97edbebc6d4", "signature": "mzepn1J6/mMT/MCThLPsO7QQcRbXIdU+iAltIK1GOz+gnjQqsoNbC4tYUw1XXR27qLEpfzMegAL2nFJRBQuKAQ=="}
