-- attack: configuration files | config | contained: * | body
-- Bytes that are no configuration.
@@1:\x00\xff\xfe\x80@@@@5000:\x00\x9f\xe2\x82@@
