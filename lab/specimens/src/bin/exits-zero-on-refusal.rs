//! It ends every refusal with exit 0.

specimens::specimen!(Mail, ExitsZeroOnRefusal);
