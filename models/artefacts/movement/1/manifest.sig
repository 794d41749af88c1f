{"key": "2052852b0ad379d1", "signature": "k8xxMX+Obr3uIVUnPFutkNF7AijBF5u1H/2g/0JFM/jugKevtb1w9FYp00SeWVDAHsqonVjzbtV8Qd/F12yYDg=="}
