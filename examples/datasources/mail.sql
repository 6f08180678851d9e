CREATE TABLE suppressed (address TEXT PRIMARY KEY, reason TEXT NOT NULL);
INSERT INTO suppressed VALUES ('gone@example.com', 'asked not to be written to');
