#!/bin/bash
# Run once by the image, when the volume is new: the programs' own accounts, and the owner's right to give them theirs
# (npm run db:rights). Passwords are letters, digits, - and _ only. Tests make databases of their own, named flashpay_….
docker_process_sql <<SQL
GRANT ALL PRIVILEGES ON \`flashpay%\`.* TO 'flashpay'@'%' WITH GRANT OPTION;
CREATE USER 'flashpay_api'@'%' IDENTIFIED BY '${MYSQL_API_PASSWORD:?}';
CREATE USER 'flashpay_worker'@'%' IDENTIFIED BY '${MYSQL_WORKER_PASSWORD:?}';
SQL
