{"key": "a84a4683278c6b56", "signature": "BKHInldLgalyqpSW2SV2jHLXRBc/8hYyDJ9hhmuVPLO12TLbEgJf27/bslP+klQ/bC2px/joqVwAWaBEpVD2Aw=="}
