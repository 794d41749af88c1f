{"key": "2d9cb2e0d5cf4f1f", "signature": "fwu5x3xPPCnKMNdUoMWXkaEo7nH3o2PdKUfALI0sbL4Rt5PXL1TeI2HpW05iuMvg2+pdaWg7myHySvr9KlC5BA=="}
