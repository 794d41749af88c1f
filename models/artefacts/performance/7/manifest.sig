{"key": "1d2de9d14c30ba9e", "signature": "f2oFr5/WAViOwU6pQqbmU4Nse+AfXI5ORZboH2GeJkWjWroVd7SPjCDVeeMBTY5zAyvGJt7jRV49JZihQyWWAg=="}
