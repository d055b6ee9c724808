//! It leaves blocked what its caller had blocked.

specimens::specimen!(Mail, LeavesSignalsBlocked);
