{"key": "575c85de25d58392", "signature": "89TmD1iOi9wH5GqUMelL1b/9mUhCVvijZHDNZGLWaCs6xY4txFrMAUYP7mi1ksWpP7PuLuuhvuKRk8V9mWpQDw=="}
