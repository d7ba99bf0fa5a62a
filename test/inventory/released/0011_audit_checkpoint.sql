-- A checkpoint that was signed.

update installation set audit_size = 3, audit_checkpoint = E'rekey-audit/test\n3\nabc\n\n-- test sig\n';
