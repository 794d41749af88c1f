{"key": "14e9ac37898918b4", "signature": "ld5JFehjKJvrOsbAuZRLFYBVcas8gmGfCpyu70FpIo+rV6Xiv3nK7bidQFXcnAU3olntHssx82JLqnTHo4zIAw=="}
