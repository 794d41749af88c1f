{"key": "afeaa6c69dc5809e", "signature": "TS4D0HZpJeHGR7McYUCMWAgLVfgs/FjHcEM2VkONdpv2x5jst1Mq2tfix3mqSAeFv9vq7VgIooENbPjEkr5eDQ=="}
