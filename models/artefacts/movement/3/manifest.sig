{"key": "14e9ac37898918b4", "signature": "Q2h/+uKzDArLRSy+At2gewwz6CCQVB/+JccTojrWPSk57sKl4zkcDhNfjuTVrwWSywqPh3Zy612NlDqBLc1UCw=="}
