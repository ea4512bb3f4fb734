-- Run once, when the volume is new. The image grants on one database; tests make databases of their own, named flashpay_….
GRANT ALL PRIVILEGES ON `flashpay%`.* TO 'flashpay'@'%';
