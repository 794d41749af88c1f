{"key": "cff30208131e0702", "signature": "eIFhj4Mq/i8UhisBOhZagLG9xE+B2E9EZm3TiyoTRcGAbM5ELQ2NFUDc4TbI9FkAzMlgLPFj1QoTLb6K4YfoDw=="}
