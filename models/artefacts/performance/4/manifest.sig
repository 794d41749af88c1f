{"key": "cff30208131e0702", "signature": "wIOjNUDjin0j35NcTVZmEqNDECic3TXefNBLVqyaBLCQpjsP9qWeFtgaCsMUs5MlFaddnsuLY6CRoaEBHMiTCA=="}
