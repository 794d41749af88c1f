{"key": "1d2de9d14c30ba9e", "signature": "ErQ7EzjAc4rjTRAIxZJjPDHIWevCQh0RCbH8zT+2THBf0LkHvqRC0N3XIW08GPu60OOm4uRnP+VDas9lxLUzCg=="}
