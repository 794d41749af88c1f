{"key": "4bcf32279076a884", "signature": "AvGw4eBvuPizPaScZI1nwMGV7FUhng6z1BMIL/IR4frIbpTzCEPdQkIOVogR2/f3bR+A37dkvPxITMj8dVz/CA=="}
