{"key": "d02cc97edbebc6d4", "signature": "5Y22RqMHzR+X3PqhuFpYaQL2U7aAVc6yUii/LbTacrtqR4nIkSMg9w5DFWZ3ps+o5g2kViKluj1Gr90D2z2tAg=="}
