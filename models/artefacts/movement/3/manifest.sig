{"key": "ab7e04651a6475ea", "signature": "aNYmvDqiepPUb/Zzm4u7w1YssZKYbg+Elvze+5rgYxYPWpKwW5DVmVugVT3B6MWQt0BuiqxKiGT0sP69HojKDQ=="}
